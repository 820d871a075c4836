raise ValueError("no\nluck")
