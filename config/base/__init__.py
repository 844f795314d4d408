"""What every app stands on. Imports no app."""
