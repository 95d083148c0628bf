"""Which design is best, and is that proven?"""
