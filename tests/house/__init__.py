"""Rules the code keeps about itself."""
