mkdir -p m/owned/sub; chmod 711 m m/owned; chmod 2777 m/owned/sub; echo 1 > m/owned/new
