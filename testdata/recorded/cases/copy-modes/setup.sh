mkdir -p m/d; echo 1 > m/a; echo 2 > m/b; chmod 4711 m/a; chmod 0600 m/b; chmod 2750 m/d; chmod 1777 m
