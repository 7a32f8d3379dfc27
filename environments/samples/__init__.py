"""How samples are drawn, coloured and handed out."""
