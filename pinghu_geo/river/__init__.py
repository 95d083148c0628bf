"""Where along the river is it?"""
