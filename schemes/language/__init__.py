"""What scheme files say: models, expressions, windows, names, metrics and tags.

Nothing here makes SQL: that is `schemes.compiler`, which reads what is parsed here.
"""
