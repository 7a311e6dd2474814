"""Models of every file and every HTTP body that two Tonesmith services share.

Strict where people write (`Authored`: an unknown key is an error), tolerant where machines read
(`Recorded`: unknown keys of a newer minor version are ignored, a newer major version is refused).
"""
