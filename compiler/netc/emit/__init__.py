"""From the checked graph and the recipe to Python source."""
