"""What `picklebot doctor` looks at, a file for each part. A check yields findings, and changes only what it is asked to."""
