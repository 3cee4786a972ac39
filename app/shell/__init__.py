"""What all pages share: the view and its address, the sidebar, how a figure stands on a page, forms and sections of several pages."""
