"""Look at everything that a build depends on, and say what is there: facts that were measured here, never guesses.

Each subject has a module of its own, whose `findings` looks at a `scene.Scene`; `checkup` calls one after the other.
"""
