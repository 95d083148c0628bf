"""Who is hit by a red line, and by how much?"""
