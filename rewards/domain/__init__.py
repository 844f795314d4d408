"""Pure decisions about points: no database, no clock."""
