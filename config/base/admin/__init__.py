"""The console: Django admin as loyalty operations and customer service use it."""
