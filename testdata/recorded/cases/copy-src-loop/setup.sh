ln -s l2 l1; ln -s l1 l2
