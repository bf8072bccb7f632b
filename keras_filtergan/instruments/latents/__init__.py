"""What a latent space holds: dimensions, films, arithmetic, features."""
