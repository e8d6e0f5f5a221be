"""What a camera makes of a page: perspective, light, blur, noise and compression; and images without any page."""
