mkdir -p e/f; chmod 700 e; chmod 711 e/f
