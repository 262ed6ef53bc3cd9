chmod 640 f; chmod 4750 d; chmod 711 d/s; chmod 755 d/s/x; ln -s x d/s/l
