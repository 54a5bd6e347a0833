"""Screening of names: what two names have in common, and which listed names a name may be.

``scripts`` brings every script into Latin letters, ``analysis`` makes tokens with their roles,
``columns`` holds many names as arrays, ``blocking`` finds candidates, ``features`` aligns two names
and ``scoring`` weighs what that gave; ``screener`` answers for a name, ``rescreen`` for a change of
lists, ``words`` says in English and Chinese what made a score.
"""
