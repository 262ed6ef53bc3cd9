ln -s nope l1
