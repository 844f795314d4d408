"""What must hold while several processes work, or one of them dies."""
