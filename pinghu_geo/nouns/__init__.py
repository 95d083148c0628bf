"""What are the tables, and how does one speak of them?"""
