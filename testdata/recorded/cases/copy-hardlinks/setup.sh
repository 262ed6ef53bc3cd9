ln d/a d/b; ln d/a c; mkdir e; ln d/a e/f
