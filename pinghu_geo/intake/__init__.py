"""What did they give me, and is it sound?"""
