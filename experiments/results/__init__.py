"""What runs gave, as tables and figures."""
