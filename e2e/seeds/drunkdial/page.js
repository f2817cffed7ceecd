// What the page's scripts can reach, and so the test.

import { DrunkDialClient } from "./DrunkDialClient.js";
import { loginUser } from "./loginUser.js";

Object.assign(window, { DrunkDialClient, loginUser });
