"""From files and arrays as people have them to pixels of one kind."""
