"""What makes a release and shows that it holds: built files with hashes, lowest and newest libraries, extras one by one, the first figure."""
