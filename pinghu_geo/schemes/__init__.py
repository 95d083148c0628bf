"""Which design is better, building by building?"""
