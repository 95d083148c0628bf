"""How do I hand it over? Outputs compute nothing."""
