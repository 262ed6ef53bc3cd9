chmod 711 o/sub
