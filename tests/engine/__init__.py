"""The engine as a whole: worked examples, a plain reference, disorder."""
