mkdir a; ln -s ../b a/l; ln -s /b a/abs; ln -s ../../../.. a/up; ln -s c2 a/chain; ln -s /b/f a/c2
