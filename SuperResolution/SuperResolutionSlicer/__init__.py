"""What the SuperResolution module does inside Slicer: nodes, the background process, review, hand-over. All computing is the engine's."""
