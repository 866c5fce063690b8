"""What a workspace leaves open: one room for `picklebot audit`, a rule a finding."""
