"""Reading agency files of every format as text, nothing dropped unseen."""
