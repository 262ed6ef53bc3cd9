ln -s real Dockerfile
