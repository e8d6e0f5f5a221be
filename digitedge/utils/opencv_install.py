"""Commands that install OpenCV on a machine without a screen; see docs/decisions/opencv-without-a-screen.md."""

# The shared objects that opencv-python needs; on Debian 13 and Ubuntu 24.04 libglib2.0-0t64 provides the second name.
INSTALL_LIBRARIES = "sudo apt install libgl1 libglib2.0-0"
WITHOUT_ROOT = (
    "without root, after every pip install of digitedge: pip uninstall --yes opencv-python opencv-python-headless && "
    "pip install opencv-python-headless"
)
