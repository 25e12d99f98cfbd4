"""What the output of a failed hook says: `cause`, what went wrong first and where; `advice`, what to do about it."""
