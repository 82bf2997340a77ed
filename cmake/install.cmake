# What `cmake --install` puts beside the programs, and the Debian package that `cpack` makes of it.
# Nothing is made by running a program: pages and completions are checked in (scripts/generate-docs), so a cross build
# installs them as well. The prefixes /usr and /usr/local have their settings in /etc, where the unit looks.
if(CMAKE_INSTALL_PREFIX MATCHES "^/usr(/local)?/?$")
  set(NETSCOPE_ETC /etc/netscope)
else()
  set(NETSCOPE_ETC ${CMAKE_INSTALL_FULL_SYSCONFDIR}/netscope)
endif()

set(CMAKE_INSTALL_DOCDIR ${CMAKE_INSTALL_DATAROOTDIR}/doc/netscope)

install(FILES deploy/man/netscope.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES deploy/man/netscopectl.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES deploy/completion/netscope deploy/completion/netscopectl
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES deploy/netscope.service DESTINATION lib/systemd/system)
install(FILES deploy/service.yaml DESTINATION ${NETSCOPE_ETC} RENAME netscope.yaml)
install(FILES deploy/netscope.yaml DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
install(FILES LICENSE CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES proto/google/rpc/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME LICENSE.google-rpc)
install(FILES proto/grpc/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME LICENSE.grpc)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME netscope)
set(CPACK_PACKAGE_VENDOR "The NetScope authors")
set(CPACK_PACKAGE_CONTACT "The NetScope authors <netscope@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "network sensor: flows, statistics and alerts")
set(CPACK_PACKAGE_DESCRIPTION
"Reads capture files and live interfaces, decodes every packet, tracks every
flow, and tells what it found: a report, flow records as JSON and CSV, alerts
of floods and scans, statistics and packets, by files and by a gRPC API.
netscopectl asks sensors by that API.")
set(CPACK_STRIP_FILES ON)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/debian.cmake)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates, libcap2-bin")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${PROJECT_SOURCE_DIR}/deploy/debian/conffiles ${PROJECT_SOURCE_DIR}/deploy/debian/postinst)
include(CPack)
