"""The stages that the commands of `pipeline` are made of, each in the module of what it leads to."""
