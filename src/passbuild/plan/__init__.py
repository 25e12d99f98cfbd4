"""The plan: what passes through, what is installed, what is refused, and why. Pure: values in, values out."""
