"""Exercises that judge themselves: what they are (`manifest`), where the learner's work is (`work`), how it is judged
(`bench`, `kinds`, `check`), what is said of it (`verdict`), and what is remembered (`progress`).
"""
