"""Does the water still pass?"""
