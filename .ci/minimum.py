"""Print the least versions that setup.cfg asks for, as a file of constraints for pip."""

import configparser
import re

setup = configparser.ConfigParser()
setup.read("setup.cfg")
required = setup["options"]["install_requires"]
for extra in ("images", "sklearn", "cluster"):
    required += setup["options.extras_require"][extra]
for name, least in re.findall(r"([\w-]+)>=([\w.]+)", required):
    print(f"{name}=={least}")
