"""What an image is made of while it is optimised: parametrisations, priors, jitter."""
