"""Pictures of real runs, in one style: see `style` for the palette, and one module for each kind of picture."""
