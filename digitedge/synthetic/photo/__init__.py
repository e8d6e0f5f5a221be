"""A flat page in, a photograph out: camera pose, light, blur, noise and JPEG; and images of objects without digits."""
