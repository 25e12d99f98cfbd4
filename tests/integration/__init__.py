"""Real environments, real pip and uv, real hooks; offline against a wheelhouse that the session builds."""
