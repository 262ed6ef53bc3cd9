ln -s d ld
ln -s f lf
ln -s /d labs
