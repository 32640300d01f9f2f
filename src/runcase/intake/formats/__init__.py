"""Line formats, one file a family: how a line tells its time, level and message."""
